"""HTTP as every process of ours speaks it: declared endpoints, one problem body, health, request ids."""
