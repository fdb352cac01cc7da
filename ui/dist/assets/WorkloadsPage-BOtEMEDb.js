import{Q as e,bt as t,c as n,it as r,n as i,y as a}from"./index-BdsMQrDL.js";import{t as o}from"./EmptyState-k9mNa3LM.js";import{t as s}from"./PageTitle-Bgc7KJYD.js";import{G as c,K as l,a as u,c as d,i as f}from"./client-DY3vtEfK.js";import{t as p}from"./Table-5xNpOtKt.js";import{t as m}from"./Time-CYBRa4D9.js";import{t as h}from"./useMutation-CoiPBlh4.js";import{i as g,n as _,t as v}from"./jsx-runtime-DyZJNswf.js";import{u as y}from"./chunk-6KYCQHYJ-CIwrNsvw.js";import{t as b}from"./CodeEditor-CkJFBEEB.js";import{t as x}from"./Form.module-6SRKDAqO.js";var S=g(_(),1),C=`apiVersion: apps/v1
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
`,w=v();function T({manifest:e=C,label:n=`Apply a manifest`}){let[r,a]=(0,S.useState)(!1),[o,s]=(0,S.useState)(e),u=y(),d=c(),p=h({mutationFn:i,onSuccess:async e=>{d.invalidateQueries({queryKey:[`workloads`]}),await u(`/runs/${e.id}`)}});return(0,w.jsxs)(w.Fragment,{children:[(0,w.jsx)(l,{variant:`default`,onClick:()=>{s(e),p.reset(),a(!0)},children:n}),(0,w.jsx)(t,{opened:r,onClose:()=>a(!1),title:n,size:760,children:(0,w.jsxs)(`div`,{className:x.form,children:[(0,w.jsx)(b,{label:`Manifest`,language:`yaml`,value:o,onChange:s,onSubmit:()=>p.mutate(o),minHeight:320}),(0,w.jsx)(`p`,{children:`Deploys at once. If the new version does not become ready, the one before comes back.`}),p.error&&(0,w.jsx)(f,{error:p.error}),(0,w.jsx)(l,{size:`sm`,loading:p.isPending,onClick:()=>p.mutate(o),children:`Deploy`})]})})]})}var E=[{id:`name`,header:`Workload`,phone:`title`,cell:e=>e.name,value:e=>e.name},{id:`status`,header:`State`,phone:`side`,cell:e=>(0,w.jsx)(O,{workload:e}),value:e=>e.status},{id:`version`,header:`Version`,cell:e=>e.version??`–`,value:e=>e.version??``},{id:`revision`,header:`Revision`,phone:`hide`,cell:e=>e.revision,value:e=>e.revision},{id:`service`,header:`Service`,cell:e=>e.service,value:e=>e.service},{id:`restarts`,header:`Restarts`,cell:e=>e.restarts,value:e=>e.restarts},{id:`since`,header:`Running`,cell:e=>e.startedAt?(0,w.jsx)(m,{time:e.startedAt}):`–`}],D={id:`reason`,header:`Reason`,cell:e=>e.reason??``};function O({workload:{status:e,ready:t},filled:n}){let r=e===`running`&&!t;return(0,w.jsx)(u,{state:e,tone:r?`warning`:d(e),filled:n,children:r?`running, not ready`:e})}function k(){let t=r(n),{can:i}=a();return(0,w.jsxs)(w.Fragment,{children:[(0,w.jsx)(s,{title:`Workloads`,actions:i(`operator`)&&(0,w.jsx)(T,{})}),(0,w.jsx)(e,{query:t,children:({items:e})=>e.length>0?(0,w.jsx)(p,{label:`Workloads`,rows:e,columns:e.some(e=>e.reason)?[...E,D]:E,rowKey:e=>e.name,to:e=>`/workloads/${e.name}`}):(0,w.jsxs)(o,{title:`No workloads`,snippet:C,children:[`daytwo keeps running what a Kubernetes Deployment describes. Apply one here, put it into `,(0,w.jsx)(`code`,{children:`workloads/`}),` of the configuration, or send it with `,(0,w.jsx)(`code`,{children:`daytwo apply -f workload.yaml`}),`:`]})})]})}export{O as WorkloadState,k as WorkloadsPage,T as t};