"""Everything on one machine: embedded stores, certificates, keys, a generated world, and the processes."""
