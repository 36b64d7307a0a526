"""The hospital's image archive by DICOMweb: QIDO-RS to find studies, WADO-RS to have one picture rendered.

What archives were seen to do (Orthanc 1.10 with its dicomweb 1.7), and what is done about it:

- Query values are not percent-decoded: `PatientName=Zhang%2A` finds nothing. Queries are written by hand from characters that need
  no encoding, by number and day, never by name.
- `PatientID` is compared without case: a search for `P1` also gives the studies of `p1`, who is somebody else. Those are left out;
  an entry with any other number is `wrong_subject`, and nothing is shown.
- `Accept` with two types is refused: one at a time, JPEG first.
- `viewport` enlarges, and pads to a square: it is asked for only to make a picture smaller, in the picture's own proportions.
- Orthanc's answers are in its `DefaultEncoding`, Latin-1 as it comes: Chinese descriptions are left out unless it is set to `Utf8`.
- A study's number opens it whoever asks. Here a study's id is a digest that is looked for among the patient's own studies, and the
  instance's own PatientID is read before it is rendered.
"""
