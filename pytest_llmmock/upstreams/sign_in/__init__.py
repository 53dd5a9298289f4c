"""Sign in with ChatGPT, as OpenAI describes it for open-source programs: under our own name, with the user's consent.

`attempt` is what the browser is sent off with and comes back with, `oauth` and `identity` what is asked of the sign-in
server, `account` and `store` what is kept, `session` what hands out tokens. Nothing here opens a connection or asks a
person.
"""
