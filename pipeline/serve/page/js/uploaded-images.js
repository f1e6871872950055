// Images that were dropped or pasted. They are kept in this tab; the URL has only their ids.

const SIDE = 640;
const here = new Map();

/** Store an image and return its id for the URL. It is downscaled, since encoders need no more. */
export async function keep(file) {
  const id = Math.random().toString(36).slice(2, 10);
  const small = await shrunk(file);
  here.set(id, small ?? file);
  if (small) {
    try {
      sessionStorage.setItem(`picture-${id}`, await asAddress(small));
    } catch { /* no room, or no leave: the picture then lasts until the page is loaded again */ }
  }
  return id;
}

/** The bytes of an image, or null if it is gone. */
export async function content(id) {
  if (here.has(id)) return here.get(id);
  const kept = sessionStorage.getItem(`picture-${id}`);
  if (!kept) return null;
  const [head, body] = kept.split(",");
  const bytes = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
  here.set(id, new Blob([bytes], { type: head.slice(5).split(";")[0] }));
  return here.get(id);
}

/** A URL to show it by, or null. */
export async function preview(id) {
  const found = await content(id);
  return found ? asAddress(found) : null;
}

/** The images among dropped or pasted data. */
export const among = (transfer) => [...(transfer?.files ?? [])].filter((file) => file.type.startsWith("image/"));

async function shrunk(file) {
  let image;
  try {
    image = await createImageBitmap(file);
  } catch {
    return null; // the browser cannot decode it, but the server may
  }
  const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.92));
}

function asAddress(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(blob);
  });
}
