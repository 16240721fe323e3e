// Samples as they travel: packed in the page, or in shards beside it that are loaded when they are looked at.

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%/()*+-;,=.?@^_`{|}~";
const digitOf = new Uint8Array(128);
for (let at = 0; at < 85; at++) digitOf[DIGITS.charCodeAt(at)] = at;

// Five digits are four bytes; the last group may be shorter, as if filled up with the highest digit.
function decoded(text) {
  const groups = Math.ceil(text.length / 5);
  const bytes = new DataView(new ArrayBuffer(groups * 4));
  for (let group = 0; group < groups; group++) {
    let value = 0;
    for (let at = group * 5; at < group * 5 + 5; at++) value = value * 85 + (at < text.length ? digitOf[text.charCodeAt(at)] : 84);
    bytes.setUint32(group * 4, value);
  }
  return bytes.buffer.slice(0, Math.floor((text.length * 4) / 5));
}

async function unpack(text) {
  const stream = new Blob([decoded(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = await new Response(stream).arrayBuffer();
  return JSON.parse(new TextDecoder("windows-1251").decode(bytes));
}

window.evalkitShard = (shard, text) => {
  const one = waiting.get(shard);
  waiting.delete(shard);
  if (one) one.resolve(text);
};

function fetched(shard) {
  return new Promise((resolve, reject) => {
    waiting.set(shard, { resolve });
    const script = make("script", { src: `${encodeURIComponent(config.folder)}/${String(shard).padStart(4, "0")}.js` });
    script.addEventListener("load", () => script.remove());
    script.addEventListener("error", () => {
      script.remove();
      reject(new Error(fill(words.no_shard, { folder: config.folder })));
    });
    document.head.append(script);
  });
}

async function shardOf(shard) {
  if (!unpacked.has(shard)) {
    const made = await unpack(config.folder ? await fetched(shard) : packed[shard]);
    unpacked.set(shard, made);
  }
  const records = unpacked.get(shard);
  unpacked.delete(shard);
  unpacked.set(shard, records);
  if (config.folder) for (const old of [...unpacked.keys()].slice(0, -MOST_SHARDS)) unpacked.delete(old);
  return records;
}

const recordOf = (sample) => unpacked.get(sample.shard)?.[sample.at];
