-- Purpose: whether this session is encrypted, and how; empty where it is not. Locks: none. Rows: 1.
SHOW SESSION STATUS LIKE 'Ssl_cipher'
