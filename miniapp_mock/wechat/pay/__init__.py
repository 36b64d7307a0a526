"""Pay v3 JSAPI for one merchant."""
