//! Floor 2: everything that leaves the process except proxied traffic: the database, Redis, and the files of the data directory.
