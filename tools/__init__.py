"""What is used while working on the project and never runs in a hospital."""
