import{n as e}from"./rolldown-runtime-WkwZ5CU-.js";import{Q as t,U as n,Y as r,dt as i,ht as a,jt as o,rt as s,wt as c}from"./vendor-BGGagt90.js";import{C as l,O as u,P as d,_n as f,at as p,dt as m,et as h,mn as g,pn as _,q as v,un as y,w as b}from"./kit-D8MCP-uZ.js";import{t as x}from"./index-BMgjt4jP.js";var S=e(o(),1),C=`apiVersion: apps/v1
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
`,w=c();function T({manifest:e=C,label:t=`Apply a manifest`}){let[o,c]=(0,S.useState)(!1),[u,d]=(0,S.useState)(e),f=n(),m=s(),h=r({mutationFn:p,onSuccess:async e=>{m.invalidateQueries({queryKey:[`workloads`]}),await f(`/runs/${e.id}`)}});return(0,w.jsxs)(w.Fragment,{children:[(0,w.jsx)(a,{variant:`default`,onClick:()=>{d(e),h.reset(),c(!0)},children:t}),(0,w.jsx)(i,{opened:o,onClose:()=>c(!1),title:t,size:760,children:(0,w.jsxs)(`div`,{className:b.form,children:[(0,w.jsx)(l,{label:`Manifest`,language:`yaml`,value:u,onChange:d,onSubmit:()=>h.mutate(u),minHeight:320}),(0,w.jsx)(`p`,{children:`Deploys at once. If the new version does not become ready, the one before comes back.`}),h.error&&(0,w.jsx)(_,{error:h.error}),(0,w.jsx)(a,{size:`sm`,loading:h.isPending,onClick:()=>h.mutate(u),children:`Deploy`})]})})]})}var E=[{id:`name`,header:`Workload`,phone:`title`,cell:e=>e.name,value:e=>e.name},{id:`status`,header:`State`,phone:`side`,cell:e=>(0,w.jsx)(O,{workload:e}),value:e=>e.status},{id:`version`,header:`Version`,cell:e=>e.version??`–`,value:e=>e.version??``},{id:`revision`,header:`Revision`,phone:`hide`,cell:e=>e.revision,value:e=>e.revision},{id:`service`,header:`Service`,cell:e=>e.service,value:e=>e.service},{id:`restarts`,header:`Restarts`,cell:e=>e.restarts,value:e=>e.restarts},{id:`since`,header:`Running`,cell:e=>e.startedAt?(0,w.jsx)(v,{time:e.startedAt}):`–`}],D={id:`reason`,header:`Reason`,cell:e=>e.reason??``};function O({workload:{status:e,ready:t},filled:n}){let r=e===`running`&&!t;return(0,w.jsx)(g,{state:e,tone:r?`warning`:f(e),filled:n,children:r?`running, not ready`:e})}function k(){let e=t(m),{can:n}=x();return(0,w.jsxs)(w.Fragment,{children:[(0,w.jsx)(h,{title:`Workloads`,actions:n(`operator`)&&(0,w.jsx)(T,{})}),(0,w.jsx)(y,{query:e,children:({items:e})=>e.length>0?(0,w.jsx)(u,{label:`Workloads`,rows:e,columns:e.some(e=>e.reason)?[...E,D]:E,rowKey:e=>e.name,to:e=>`/workloads/${e.name}`}):(0,w.jsxs)(d,{title:`No workloads`,snippet:C,children:[`daytwo keeps running what a Kubernetes Deployment describes. Apply one here, put it into `,(0,w.jsx)(`code`,{children:`workloads/`}),` of the configuration, or send it with `,(0,w.jsx)(`code`,{children:`daytwo apply -f workload.yaml`}),`:`]})})]})}export{O as WorkloadState,k as WorkloadsPage,T as t};