"""Records of `tianjin-1.0`. Its numbers: the appointment's id is the number of booking, follow-up and consultation alike."""
