"""Other people's systems, written from their own documents.

They share no code with the programs that talk to them: a mistake in reading a specification must not be made twice.
"""
