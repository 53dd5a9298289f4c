// A test in another language: it puts a rule, asks as its application does, reads what was asked, and begins anew.
// Run by test_control.py; by hand:  OPENAI_BASE_URL=http://127.0.0.1:8000/v1 node --test control.test.mjs
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

const url = process.env.OPENAI_BASE_URL;
const headers = { authorization: `Bearer ${process.env.OPENAI_API_KEY}`, "content-type": "application/json" };

async function control(method, path, body) {
  const answer = await fetch(`${url}/__llmmock__/${path}`, { method, headers, body: body && JSON.stringify(body) });
  const value = await answer.json();
  assert.equal(answer.status, 200, value.error?.message);
  return value;
}

// What stands here for the application under test.
async function ask(words, more) {
  const body = JSON.stringify({ model: "gpt-5", messages: [{ role: "user", content: words }], ...more });
  return await fetch(`${url}/chat/completions`, { method: "POST", headers, body });
}

afterEach(() => control("POST", "reset"));

test("a rule answers, and the journal tells what was asked", async () => {
  await control("POST", "rules", {
    when: { contains: "weather" },
    reply: { tool_calls: [{ name: "get_weather", arguments: { city: "{{ last_word }}" } }] },
  });
  const answer = await (await ask("the weather in Rome?")).json();
  assert.equal(answer.choices[0].message.tool_calls[0].function.name, "get_weather");

  const { entries } = await control("GET", "journal?model=gpt-*&operation=chat");
  assert.equal(entries.length, 1);
  assert.deepEqual(entries[0].messages, [{ role: "user", text: "the weather in Rome?" }]);
  assert.deepEqual(entries[0].tool_calls[0].json, { city: "Rome" });
  assert.equal(entries[0].source, "script");
  assert.ok(!JSON.stringify(entries).includes("authorization"));
});

test("a fault goes wrong once", async () => {
  await control("PUT", "rules", { rules: [], default: "You said: {{ last_message }}" });
  await control("POST", "faults", { fault: "rate_limit", times: 1, on: { model: "gpt-*" } });
  assert.equal((await ask("hello")).status, 429);
  const answer = await (await ask("hello")).json();
  assert.equal(answer.choices[0].message.content, "You said: hello");
});

test("a stream comes in pieces", async () => {
  await control("POST", "rules", { reply: { text: "one two three", chunks: 4 } });
  const answer = await ask("count", { stream: true });
  const text = await answer.text();
  assert.ok(text.split("\n\n").length > 4);
  assert.ok(text.trimEnd().endsWith("data: [DONE]"));
});

test("behind a reset nothing is left", async () => {
  assert.deepEqual((await control("GET", "journal")).entries, []);
  assert.deepEqual((await control("GET", "rules")).rules, []);
});

test("a wrong rule is told with its place", async () => {
  const body = JSON.stringify({ when: { modell: "gpt-5" }, reply: "x" });
  const answer = await fetch(`${url}/__llmmock__/rules`, { method: "POST", headers, body });
  assert.equal(answer.status, 400);
  const { error } = await answer.json();
  assert.equal(error.message, "rules.json, line 1, when.modell: there is no such key. Did you mean 'model'?");
});
