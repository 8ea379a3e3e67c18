"""The plots of runs: one function a run, in the modules that `scenes.production.plots` lists."""
