"""No physics: errors, checks of arguments, threads, memory, provenance, progress, files.

Used by every other package; imports none of them.
"""
