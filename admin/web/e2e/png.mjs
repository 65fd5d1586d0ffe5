// Makes a picture of a page smaller without changing a dot of it: browsers compress in a hurry.
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc(body));
  return Buffer.concat([length, body, sum]);
}

let table;
/** Node 20.15 has none of its own. */
function crc(bytes) {
  if (crc32) return crc32(bytes);
  table ??= Array.from({ length: 256 }, (_, index) => Array.from({ length: 8 }).reduce((value) => (value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1), index));
  return (bytes.reduce((value, byte) => (value >>> 8) ^ table[(value ^ byte) & 255], 0xffffffff) ^ 0xffffffff) >>> 0;
}

function paeth(left, up, corner) {
  const estimate = left + up - corner;
  const [a, b, c] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** The dots of a picture of 8 bits, by rows. */
function decode(png) {
  const parts = [];
  let header;
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const type = png.toString("latin1", at + 4, at + 8);
    const data = png.subarray(at + 8, at + 8 + length);
    if (type === "IHDR") header = { width: data.readUInt32BE(0), height: data.readUInt32BE(4), channels: data[9] === 6 ? 4 : 3 };
    if (type === "IDAT") parts.push(data);
    at += length + 12;
  }
  const { width, height, channels } = header;
  const stride = width * channels;
  const packed = inflateSync(Buffer.concat(parts));
  const dots = Buffer.alloc(height * stride);
  for (let y = 0; y < height; y++) {
    const filter = packed[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x >= channels ? dots[y * stride + x - channels] : 0;
      const up = y > 0 ? dots[(y - 1) * stride + x] : 0;
      const corner = x >= channels && y > 0 ? dots[(y - 1) * stride + x - channels] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      dots[y * stride + x] = packed[y * (stride + 1) + 1 + x] + guess;
    }
  }
  return { ...header, dots };
}

/** The same picture, without transparency and without filters: on flat areas and text that packs best. */
export function smaller(png) {
  const { width, height, channels, dots } = decode(png);
  const rows = Buffer.alloc(height * (width * 3 + 1));
  for (let y = 0, to = 0; y < height; y++) {
    to++;
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * channels;
      dots.copy(rows, to, from, from + 3);
      to += 3;
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 8;
  head[9] = 2;
  const made = Buffer.concat([SIGNATURE, chunk("IHDR", head), chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })), chunk("IEND", Buffer.alloc(0))]);
  return made.length < png.length ? made : png;
}
