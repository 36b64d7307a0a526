"""What a patient's phone talks to: the WeChat-style front, and a stand-in for WeChat itself."""
