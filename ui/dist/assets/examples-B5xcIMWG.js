var e=`people:
  - name: ada
    email: ada@example.com

teams:
  - {name: orders, members: [ada]}

escalation_policies:
  - name: orders
    levels:
      - {targets: [ada], after: 0s}

services:
  - name: checkout
    team: orders
    escalation_policy: orders
    slos:
      - name: availability
        objective: 99.5
        window: 30d
        good: sum(rate(http_server_requests_total{service="checkout",code!~"5.."}[$window]))
        total: sum(rate(http_server_requests_total{service="checkout"}[$window]))
`,t=`rule_files: [rules/*.yml]
`,n=`groups:
  - name: orders
    rules:
      - alert: OrdersFail
        expr: rate(orders_failed_total[5m]) > 1
        for: 2m
        labels: {service: checkout, severity: critical}
        annotations: {summary: Orders fail}
`,r=`apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout
  labels:
    app.kubernetes.io/name: checkout
    app.kubernetes.io/version: v1
spec:
  replicas: 1
  selector:
    matchLabels: {app.kubernetes.io/name: checkout}
  template:
    metadata:
      labels: {app.kubernetes.io/name: checkout}
    spec:
      containers:
        - name: checkout
          image: "process:"
          command: [python3, -m, http.server, $(PORT)]
`;function i(t){let n=e.split(`
`),r=n.findIndex(e=>e.trimStart()===`${t}:`),i=n[r]?.search(/\S/)??0,a=n.slice(r+1).findIndex(e=>e.trim()===``||e.search(/\S/)<=i);return n.slice(r,a<0?void 0:r+1+a).map(e=>e.slice(i)).join(`
`).trimEnd()}var a=e.trimEnd(),o=i(`escalation_policies`),s=`# prometheus.yml\n${t}\n# rules/orders.yml\n${n.trimEnd()}`,c=r,l=e=>i(`slos`).replaceAll(`checkout`,e);export{a,s as i,c as n,l as r,o as t};