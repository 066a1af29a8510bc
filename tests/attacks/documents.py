"""The documents of the world that is attacked: one of each way to change something."""

BANK = """
apiVersion: workflow.io/v1
kind: Connector
metadata: {name: bank}
spec:
  baseUrl: http://127.0.0.1:1
  operations:
    row: {path: "/rows/{{input.id}}"}
    pay:
      {method: POST, path: /pay, effect: mutation, verb: pay, idempotency: none,
       body: {to: "{{input.to}}", amount: "{{input.amount}}"}}
    tag:
      {method: PUT, path: "/tags/{{input.id}}", effect: mutation, reversible: true,
       idempotency: natural, body: {tag: "{{input.tag}}"}}
    wipe: {method: DELETE, path: "/rows/{{input.id}}", effect: mutation, idempotency: natural}
    mail:
      {method: POST, path: /mail, effect: mutation, verb: send, idempotency: none,
       body: {to: "{{input.to}}"}}
---
apiVersion: workflow.io/v1
kind: WorkflowTask
metadata: {name: row}
spec: {type: http, connector: bank/row}
---
apiVersion: workflow.io/v1
kind: WorkflowTask
metadata: {name: pay}
spec: {type: http, connector: bank/pay, retry: {policy: none}}
---
apiVersion: workflow.io/v1
kind: WorkflowTask
metadata: {name: tag}
spec: {type: http, connector: bank/tag}
---
apiVersion: workflow.io/v1
kind: WorkflowTask
metadata: {name: wipe}
spec: {type: http, connector: bank/wipe}
---
apiVersion: workflow.io/v1
kind: WorkflowTask
metadata: {name: mail}
spec: {type: http, connector: bank/mail, retry: {policy: none}}
"""

FLOWS = """
apiVersion: workflow.io/v1
kind: Workflow
metadata: {name: look}
spec:
  description: Reads a row.
  input: {id: {type: string, required: true}}
  tasks: [{id: row, taskRef: row, input: {id: "{{input.id}}"}}]
  output: {row: "{{tasks.row.output}}"}
---
apiVersion: workflow.io/v1
kind: Workflow
metadata: {name: pay}
spec:
  description: Pays somebody.
  input: {to: {type: string, required: true}, amount: {type: integer, required: true}}
  tasks:
    - {id: pay, taskRef: pay, input: {to: "{{input.to}}", amount: "{{input.amount}}"}}
  output: {done: "{{tasks.pay.output.done}}"}
---
apiVersion: workflow.io/v1
kind: Workflow
metadata: {name: tag}
spec:
  description: Puts a tag on a row, which can be taken back.
  input: {id: {type: string, required: true}, tag: {type: string, required: true}}
  tasks: [{id: tag, taskRef: tag, input: {id: "{{input.id}}", tag: "{{input.tag}}"}}]
  output: {done: "{{tasks.tag.output.done}}"}
---
apiVersion: workflow.io/v1
kind: Workflow
metadata: {name: mail-all}
spec:
  description: Writes to everybody on a list.
  input: {to: {type: array, required: true}}
  tasks:
    - {id: mail, taskRef: mail, forEach: {items: "{{input.to}}"}, input: {to: "{{forEach.item}}"}}
---
apiVersion: workflow.io/v1
kind: Workflow
metadata: {name: pay-row}
spec:
  description: Pays what a row says, so that the amount is known only then.
  input: {id: {type: string, required: true}, to: {type: string, required: true}}
  tasks:
    - {id: row, taskRef: row, input: {id: "{{input.id}}"}}
    - {id: pay, taskRef: pay, input: {to: "{{input.to}}", amount: "{{tasks.row.output.amount}}"}}
---
apiVersion: workflow.io/v1
kind: Workflow
metadata: {name: twice}
spec:
  description: Deletes a row and then writes to somebody.
  input: {id: {type: string, required: true}, to: {type: string, required: true}}
  tasks:
    - {id: wipe, taskRef: wipe, input: {id: "{{input.id}}"}}
    - {id: mail, taskRef: mail, dependsOn: [wipe], input: {to: "{{input.to}}"}}
"""

PENDING = """
apiVersion: workflow.io/v1
kind: Workflow
metadata: {name: new}
spec:
  description: Nobody has accepted it yet.
  input: {to: {type: string, required: true}}
  tasks: [{id: pay, taskRef: pay, input: {to: "{{input.to}}", amount: 1}}]
"""
