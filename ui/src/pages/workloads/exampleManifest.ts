/** A manifest to begin with. */
export const exampleManifest = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: hello
  labels:
    app.kubernetes.io/name: hello
    app.kubernetes.io/version: v1
spec:
  replicas: 1
  selector:
    matchLabels: {app.kubernetes.io/name: hello}
  template:
    metadata:
      labels: {app.kubernetes.io/name: hello}
    spec:
      containers:
        - name: hello
          image: "process:"
          command: [python3, -m, http.server, $(PORT)]
`;
