"""The whitelist: what a line says (`lines`), reading it with every mistake named (`reading`), finding the line (`finding`),
and cutting a reply to the fields a line lets out (`fields`)."""
