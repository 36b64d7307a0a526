"""The hospital's image archive: the part of DICOMweb (PS3.18) that finds studies and renders pictures.

Written from the standard and from how Orthanc 1.10 behaves. Its pictures are drawn, not taken: bodies of ellipses, marked DEMO.
It renders PNG only, so a client that will have nothing but JPEG hears 406, as the standard has it.
"""
