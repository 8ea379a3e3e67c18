"""The runs of the catalogue: functions of parameters and seed that return a `Trace`, one module a subject."""
