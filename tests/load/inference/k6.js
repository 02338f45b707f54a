// Triton's gRPC endpoint under k6, an open loop: requests are sent when they are due, whatever the server does.
// Not tried here: k6 is in no package of a registry that this project installs from.
//
// `PROTO` is the protocol's definition, grpc_service.proto of Triton's repository `common`, with the files beside it.
//
//   k6 run tests/load/inference/k6.js -e ADDRESS=pellicule-inference:8001 -e PROTO=grpc_service.proto \
//     -e RATE=200 -e MODEL=face_embedder -e INPUT=chip -e SHAPE=1,150,150,3 \
//     -e CA=ca.crt -e CERT=tls.crt -e KEY=tls.key --summary-export results.json

import encoding from "k6/encoding";
import grpc from "k6/net/grpc";
import { check } from "k6";

const shape = __ENV.SHAPE.split(",").map(Number);
const client = new grpc.Client();
client.load([__ENV.PROTO_DIR || "."], __ENV.PROTO);

const request = {
  model_name: __ENV.MODEL,
  inputs: [{ name: __ENV.INPUT, datatype: "UINT8", shape: shape }],
  raw_input_contents: [encoding.b64encode(new Uint8Array(shape.reduce((a, b) => a * b, 1)).buffer)],
};
const tls = { cacerts: open(__ENV.CA), cert: open(__ENV.CERT), key: open(__ENV.KEY) };

export const options = {
  scenarios: {
    open: {
      executor: "constant-arrival-rate",
      rate: Number(__ENV.RATE),
      timeUnit: "1s",
      duration: __ENV.DURATION || "60s",
      preAllocatedVUs: 64,
      maxVUs: 512,
    },
  },
  thresholds: { grpc_req_duration: ["p(99)<1000"], checks: ["rate>0.999"] },
};

let connected = false;

export default function () {
  if (!connected) {
    client.connect(__ENV.ADDRESS, { tls: tls });
    connected = true;
  }
  const response = client.invoke("inference.GRPCInferenceService/ModelInfer", request);
  check(response, { answered: (r) => r && r.status === grpc.StatusOK && r.message.rawOutputContents.length > 0 });
}
