"""What a script in Python does with the gateway, by a package that was generated from the document."""

import os

from generated import AuthenticatedClient
from generated.api.keys import create_key, get_key_limits
from generated.api.users import create_user, delete_user, list_users, update_user
from generated.models import KeyPatch, Problem, UserCreate, UserPatch

client = AuthenticatedClient(base_url=os.environ["GATEWAY"], token=os.environ["ADMIN_TOKEN"], timeout=20)

user = create_user.sync(client=client, body=UserCreate(name="py", limit_daily_usd="2.50"))
assert user.limit_daily_usd == "2.5", user
key = create_key.sync(user.id, client=client, body=KeyPatch(name="laptop"))
assert key.key.startswith("sk-"), "a key is shown once"

renamed = update_user.sync(user.id, client=client, body=UserPatch(note="by a script"))
assert renamed.note == "by a script", renamed

names, cursor = [], None
while True:
    page = list_users.sync(client=client, limit=1, **({"cursor": cursor} if cursor else {}))
    names += [item.name for item in page.items]
    cursor = page.next_cursor
    if not cursor:
        break
assert "py" in names, names

limits = get_key_limits.sync(key.id, client=client)
assert limits.limit_total_usd.limit is None, limits

wrong = create_user.sync(client=client, body=UserCreate(name=""))
assert isinstance(wrong, Problem) and wrong.errors[0].path == "name", wrong

gone = delete_user.sync_detailed(user.id, client=client)
assert gone.status_code == 204, gone
