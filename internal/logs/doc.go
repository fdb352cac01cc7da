// Package logs does the job of Elasticsearch, Logstash and Kibana: it takes log lines in, turns them into events and finds them again.
package logs
