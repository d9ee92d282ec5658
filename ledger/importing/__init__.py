"""Books that come from elsewhere: read a file, plan every entry, then write, in this order.

``reading`` knows files (encodings, delimiters, headers), ``cells`` knows what stands in one cell,
``plan`` turns rows into parties and entries without touching the book, ``apply`` writes the plan
through ``ledger.services``. Nothing is written before the whole file is understood.
"""
