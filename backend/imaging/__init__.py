"""The hospital's imaging studies, for the doctor of a visit and for the patient herself: asked through the gateway, one picture at a time.

Nothing is kept: no row, no file, no cache, not even the sealed one of minutes that the history has; answers say `no-store`.
A proxy sees what is private (gynaecology, and the like) only with a grant of its own for it.
Each picture is an audit line. The list, and the first look at a study in a visit, are reported to the supervisor as record views.
"""
