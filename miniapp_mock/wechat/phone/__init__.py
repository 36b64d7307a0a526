"""What the WeChat app does for its owner."""
