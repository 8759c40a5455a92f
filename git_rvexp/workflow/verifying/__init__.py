"""Whether what ran can still be proven and repeated, one module a kind of link."""
