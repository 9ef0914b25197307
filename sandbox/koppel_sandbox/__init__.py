"""Faithful fakes of the neighbours, with faults on request. They import nothing of ours and never ship."""
