// What a mobile team relies on, told with the client of docs/integrating.md, which lies beside this file when it runs:
// two devices, a cut upload, a feed after a day away, and paging while media come and go. Prints one line of JSON.
import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { asset, call, connect, grant, resume, send, sendBatch, start, synchronise, thumbnails } from "./client.mjs";

const [session, contracts, folder] = process.argv.slice(2);
const services = connect(JSON.parse(readFileSync(session)), readFileSync(contracts));
const files = readdirSync(folder).filter((name) => name.endsWith(".jpg")).sort();
const assets = files.map((name) => asset(join(folder, name)));
const told = {};

await grant(services, ["PURPOSE_CLOUD_PROCESSING"]);

// Two devices of one person.
const devices = [randomUUID(), randomUUID()].map((id) => `devices/${id}`);
for (const name of devices) {
  const device = { name, display_name: "phone", platform: "DEVICE_PLATFORM_IOS", push_token: "secret" };
  await call(services.devices, "RegisterDevice", { device });
}
told.devices = (await call(services.devices, "ListDevices")).devices.length;

// A cut upload goes on where it broke, below one MiB as well.
const [first, ...others] = assets;
const { upload } = await call(services.media, "StartUpload", start(first));
const half = Math.floor(first.content.length / 2);
await send(services, upload.name, first.content, 0, half).catch(() => {});
const cut = (await call(services.media, "GetUpload", { name: upload.name })).upload.committed_size_bytes;
told.resumedAt = cut === half ? "the cut" : `${cut} of ${half}`;
told.resumed = (await resume(services, upload.name, first.content)).media?.size_bytes === first.content.length;

// The phone takes a snapshot and acknowledges it; then it is away.
const phone = new Map();
const cursor = await synchronise(services.media, "WatchMedia", phone, { device: devices[0] });
await call(services.media, "AcknowledgeMediaChanges", { device: devices[0], cursor });
told.snapshot = phone.size;

// Meanwhile the tablet brings the rest in and deletes what the phone knows.
const answers = await sendBatch(services, others);
told.batch = [...answers.values()].filter((answer) => answer.result === "media").length === others.length;
await call(services.media, "DeleteMedia", { request_id: randomUUID(), name: [...phone.keys()][0] });

// The day after: the phone names itself alone, and goes on from what it acknowledged.
await synchronise(services.media, "WatchMedia", phone, { device: devices[0] });
const tablet = new Map();
await synchronise(services.media, "WatchMedia", tablet, { device: devices[1] });
told.sameCopies = phone.size === others.length && [...phone.keys()].every((name) => tablet.has(name));

// Pages do not shift while media come and go.
const listed = [];
let page_token = "";
do {
  const page = await call(services.media, "ListMedia", { page_size: 2, page_token, order_by: "upload_time desc" });
  listed.push(...page.media.map((each) => each.name));
  if (page_token === "") {
    await call(services.media, "DeleteMedia", { request_id: randomUUID(), name: listed[0] });
    await sendBatch(services, [first]).catch(() => {});
  }
  page_token = page.next_page_token;
} while (page_token);
told.pages = { listed: listed.length, twice: listed.length - new Set(listed).size, expected: others.length };

// Thumbnails of many media in one stream, once they are understood.
for (let pending = 1; pending > 0;) {
  await new Promise((wake) => setTimeout(wake, 300));
  pending = (await call(services.analysis, "GetProgress")).pending_count;
}
const kept = (await call(services.media, "ListMedia", { page_size: 1000 })).media.map((each) => each.name);
told.thumbnails = (await thumbnails(services, kept)).size === kept.length;

// A watching stream tells of a change as it happens.
const seen = await new Promise((resolve, reject) => {
  const changed = (message) => {
    if (message.change === "checkpoint") call(services.media, "UpdateMedia", { media: { name: kept[0], favorite: true }, update_mask: { paths: ["favorite"] } }).catch(reject);
    if (message.change === "changed") resolve(message.changed.favorite);
    return message.change === "changed" ? "enough" : "";
  };
  synchronise(services.media, "WatchMedia", new Map(), { forever: true, changed }).catch(() => {});
});
told.watched = seen;

// A revoked device is told so.
await call(services.devices, "RevokeDevice", { name: devices[1] });
told.revoked = await synchronise(services.media, "WatchMedia", new Map(), { device: devices[1] }).then(
  () => "not noticed",
  (error) => error.details,
);
console.log(JSON.stringify(told));
process.exit(0);
