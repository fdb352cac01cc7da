import sys
from datetime import datetime
from elasticsearch import Elasticsearch, helpers
es = Elasticsearch(sys.argv[1], http_auth=("daytwo", sys.argv[2]))
print("info", es.info()["version"]["number"])
print("bulk", helpers.bulk(es, ({"_index": "py-logs", "_source": {"@timestamp": datetime.utcnow(), "message": "py line %d" % i, "n": i}} for i in range(300))))
print("index", es.index(index="py-logs", id=1, document={"author": "kimchy", "text": "cool", "timestamp": datetime.now()})["result"])
print("get", es.get(index="py-logs", id=1)["_source"]["author"])
es.indices.refresh(index="py-logs")
r = es.search(index="py-logs", query={"match": {"message": "line"}}, size=5, aggs={"a": {"avg": {"field": "n"}}, "p": {"percentiles": {"field": "n"}}})
print("search", r["hits"]["total"]["value"], len(r["hits"]["hits"]), r["aggregations"]["a"]["value"])
print("scan", sum(1 for _ in helpers.scan(es, index="py-logs", size=100)))
print("exists", es.indices.exists(index="py-logs"), es.indices.exists(index="nope"), es.count(index="py-logs")["count"])
try:
    es.create(index="py-logs", id=1, document={})
except Exception as e:
    print("create again", type(e).__name__)
