"""From scenes to films: plan, render in processes, cache, assemble."""
