"""Faults at single system calls: a warm doctor, forked for each case, under strace."""
