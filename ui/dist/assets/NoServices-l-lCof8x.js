import{P as e}from"./kit-D8MCP-uZ.js";import{wt as t}from"./vendor-BGGagt90.js";var n=t(),r=`teams:
  - name: payments
    members: [ada]
services:
  - name: checkout
    team: payments
    slos:
      - name: availability
        objective: 99.5
        window: 30d`;function i(){return(0,n.jsxs)(e,{title:`No services yet`,snippet:r,children:[`A service is an entry in `,(0,n.jsx)(`code`,{children:`daytwo.yml`}),` of the directory given to `,(0,n.jsx)(`code`,{children:`daytwo serve --config`}),`. Its golden signals and objectives come from its metrics:`]})}export{i as t};