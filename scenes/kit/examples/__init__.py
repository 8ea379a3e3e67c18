"""An example of each kit object: a function that builds it, in a module of this folder, marked ``@shows(Class)``.

The documentation renders each and prints its code; whoever adds an object adds a function (`explain new kit-object`).
"""
