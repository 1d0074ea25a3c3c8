"""Readers: Document and Chunks -> Reading. One contract (base); template is the deterministic one."""
