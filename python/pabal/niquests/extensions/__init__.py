"""What niquests has over requests: revocation checks, TLS settings, applications in this process, Unix sockets."""
