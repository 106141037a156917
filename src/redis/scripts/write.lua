#!lua
-- Nothing. Redis refuses it where it would refuse a document: no memory, no disk, a replica only.
return 1
