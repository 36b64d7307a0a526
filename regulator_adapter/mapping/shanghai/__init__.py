"""Records of `shanghai`, our own proposal: one per event, each with the event's place in the chain."""
