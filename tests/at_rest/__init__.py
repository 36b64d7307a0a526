"""Looking for marked words of the hospital in everything that the cloud keeps."""
