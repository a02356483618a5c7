"""The pure core: facts and a pack go in, a checklist comes out. No I/O, no clock, no framework."""
