// The openai package of npm, asked everything that the test wants to know: one line of JSON.
import OpenAI from "openai";

const client = new OpenAI({ maxRetries: 0 });
const messages = [{ role: "user", content: "How warm is Rome?" }];
const tools = [{ type: "function", function: { name: "temperature", parameters: { type: "object" } } }];
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
const told = {};

told.plain = (await client.chat.completions.create({ model: "plain", messages })).choices[0].message.content;

told.pieces = [];
for await (const chunk of await client.chat.completions.create({ model: "plain", messages, stream: true }))
  told.pieces.push(chunk.choices[0]?.delta?.content ?? "");

told.call = (await client.chat.completions.create({ model: "tool", messages, tools })).choices[0].message.tool_calls[0].function;

const format = { type: "json_schema", json_schema: { name: "weather", schema, strict: true } };
told.parsed = (await client.chat.completions.parse({ model: "json", messages, response_format: format })).choices[0].message.parsed;

told.response = (await client.responses.create({ model: "plain", input: "How warm?" })).output_text;
const stream = client.responses.stream({ model: "plain", input: "How warm?" });
told.events = [];
for await (const event of stream) told.events.push(event.type);
told.streamed = (await stream.finalResponse()).output_text;

told.vector = (await client.embeddings.create({ model: "e", input: "a" })).data[0].embedding.length;

try {
  await client.chat.completions.create({ model: "broken", messages });
} catch (error) {
  told.error = [error.constructor.name, error.status, error.code];
}
console.log(JSON.stringify(told));
