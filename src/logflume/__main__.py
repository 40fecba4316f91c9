"""python -m logflume: what runs here, and what it does for an asyncio server on this machine."""

from ._demo import main

raise SystemExit(main())
