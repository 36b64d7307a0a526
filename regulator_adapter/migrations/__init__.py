"""The adapter's own schema. Migrations assume that the code before them is still running: expand, deploy, contract."""
