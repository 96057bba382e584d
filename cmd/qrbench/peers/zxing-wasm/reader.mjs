// Reads frames with zxing-cpp 3 compiled to WebAssembly (npm zxing-wasm).
//
// Frames come on stdin and answers go to stdout, as answer.go says. The first argument is
// "fast" or "all": one look at a frame, or every try that it has.
import { readFileSync, readSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { BINARIZERS, CHARACTER_SETS, ZXING_CPP_COMMIT, ZXING_WASM_VERSION, prepareZXingModule } from "zxing-wasm/reader";

const wasm = readFileSync(createRequire(import.meta.url).resolve("zxing-wasm/reader/zxing_reader.wasm"));
// Without the bytes it would fetch them from a server.
const zxing = await prepareZXingModule({ overrides: { wasmBinary: wasm }, fireImmediately: true });

const all = process.argv[2] !== "fast";
// The module's own options, as its bindings hand them over: enumerations are numbers.
const options = {
  formats: "QRCode",
  tryHarder: all,
  tryRotate: all,
  tryInvert: all,
  tryDownscale: all,
  tryDenoise: all,
  binarizer: BINARIZERS.indexOf("LocalAverage"),
  isPure: false,
  downscaleFactor: 3,
  downscaleThreshold: 500,
  minLineCount: 2,
  maxNumberOfSymbols: 255,
  validateOptionalChecksum: false,
  returnErrors: false,
  eanAddOnSymbol: 0,
  textMode: 0, // plain
  characterSet: CHARACTER_SETS.indexOf("Unknown"),
  tryCode39ExtendedMode: false,
};

// fill reads from stdin until the buffer is full; false is its end.
function fill(buffer) {
  for (let at = 0; at < buffer.length; ) {
    let n;
    try {
      n = readSync(0, buffer, at, buffer.length - at, null);
    } catch (e) {
      if (e.code === "EAGAIN") continue;
      throw e;
    }
    if (n === 0) return false;
    at += n;
  }
  return true;
}

function line() {
  const one = Buffer.alloc(1);
  let text = "";
  while (text.length < 32) {
    if (!fill(one)) return null;
    if (one[0] === 10) return text;
    text += String.fromCharCode(one[0]);
  }
  return null;
}

function say(bytes) {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}

say(Buffer.from(`ready zxing-wasm ${ZXING_WASM_VERSION} (zxing-cpp ${ZXING_CPP_COMMIT.slice(0, 7)})\n`));
for (let head = line(); head !== null; head = line()) {
  const [width, height] = head.split(" ").map(Number);
  if (!(width > 0 && height > 0 && width * height <= 50_000_000)) process.exit(1);
  const pixels = Buffer.alloc(width * height);
  if (!fill(pixels)) process.exit(1);
  const place = zxing._malloc(pixels.length);
  zxing.HEAPU8.set(pixels, place);
  const cpu = process.cpuUsage();
  const wall = process.hrtime.bigint();
  const results = zxing.readBarcodesFromPixmap(place, width, height, options);
  const texts = [];
  for (let i = 0; i < results.size(); i++) {
    const r = results.get(i);
    if (r.isValid) texts.push(Buffer.from(r.text, "utf8"));
  }
  const took = process.hrtime.bigint() - wall;
  const used = process.cpuUsage(cpu);
  results.delete();
  zxing._free(place);
  const parts = [Buffer.from(`${took} ${(used.user + used.system) * 1000} ${texts.length}\n`)];
  for (const t of texts) parts.push(Buffer.from(`${t.length}\n`), t, Buffer.from("\n"));
  say(Buffer.concat(parts));
}
