// The playground's JSON API. The key is in the page's address behind "#", which browsers send nowhere.

const key = new URLSearchParams(location.hash.slice(1)).get("key") ?? "";

/** An error that the server describes. */
export class ApiError extends Error {
  constructor(message, { status = 0, code = null } = {}) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function call(path, options = {}) {
  const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  let response;
  try {
    response = await fetch(`api/${path}`, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The server does not answer; is limner still running?");
  }
  if (response.ok) return response;
  const document = await response.json().catch(() => null);
  const message = document?.error?.message ?? `the server answered with status ${response.status}`;
  throw new ApiError(message, { status: response.status, code: document?.error?.code });
}

const post = (path, document, signal) =>
  call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(document), signal });

export const getModels = async () => (await call("models")).json();

const descriptions = new Map();

/** Describe a model; each is asked for once. */
export async function getModel(id) {
  if (!descriptions.has(id)) descriptions.set(id, await (await call(`model?name=${encodeURIComponent(id)}`)).json());
  return descriptions.get(id);
}

export const getPlans = async (order, signal) => (await (await post("plan", order, signal)).json()).plans;

/** Run a task; calls back with each event until the end. Aborting the signal cancels the run at the server. */
export async function run(order, signal, onevent) {
  const reader = (await post("run", order, signal)).body.pipeThrough(new TextDecoderStream()).getReader();
  let parts = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = value.split("\n");
    for (const line of lines.slice(0, -1)) {
      onevent(JSON.parse(parts.join("") + line));
      parts = [];
    }
    parts.push(lines.at(-1));
  }
}

export const uploadPicture = async (blob) =>
  (await call("pictures", { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: blob })).json();

/** Get an uploaded picture as an upright PNG, where the browser cannot show its format. */
export const uprightPicture = async (sha256) => (await call(`pictures/${sha256}`)).blob();
