# Reads `store name value` and writes a table with one row for each measure and one column for each store, with the ratio
# to energyd's value, and to the file `json` the same as JSON. `machine` is a JSON object.

BEGIN {
    split("bytes_per_point bytes_per_point_jitter cpu_s_per_million written_bytes_per_point query_24h_raw_ms " \
        "query_28h_hourly_ms memory_bytes by_series_cpu_s_per_million by_series_written_bytes_per_point", order, " ")
    title["bytes_per_point"] = "bytes a point at rest"
    title["bytes_per_point_jitter"] = "… times +-20 ms"
    title["cpu_s_per_million"] = "CPU-s a million points"
    title["written_bytes_per_point"] = "bytes written a point"
    title["query_24h_raw_ms"] = "24 h raw, ms"
    title["query_28h_hourly_ms"] = "28 h hourly, ms"
    title["memory_bytes"] = "memory, MB"
    title["by_series_cpu_s_per_million"] = "CPU-s, key by series"
    title["by_series_written_bytes_per_point"] = "written, key by series"
    unit["bytes_per_point"] = unit["bytes_per_point_jitter"] = unit["written_bytes_per_point"] = "B"
    unit["cpu_s_per_million"] = unit["by_series_cpu_s_per_million"] = "s"
    unit["query_24h_raw_ms"] = unit["query_28h_hourly_ms"] = "ms"
    unit["memory_bytes"] = unit["by_series_written_bytes_per_point"] = "B"
    stores = split("energyd sqlite rrdtool influxdb victoriametrics", store, " ")
}
{
    value[$1, $2] = $3
    has[$1] = 1
}
END {
    printf "%-24s", "measure"
    for (s = 1; s <= stores; s++) if (store[s] in has) printf "%18s", store[s]
    printf "\n"
    printf "{\"machine\":%s,\"results\":[", machine > json
    for (m = 1; m in order; m++) row(order[m])
    print "]}" > json
}

function shown(name, number) { return sprintf("%.3g", name == "memory_bytes" ? number / 1048576 : number) }

function row(name,    s, line, any, cell, own) {
    own = ("energyd", name) in value ? value["energyd", name] : ""
    for (s = 1; s <= stores; s++) {
        if (!(store[s] in has)) continue
        cell = "-"
        if ((store[s], name) in value) {
            any = 1
            cell = shown(name, value[store[s], name])
            printf "%s{\"name\":\"%s\",\"store\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"", written++ ? "," : "", name, \
                store[s], value[store[s], name], unit[name] > json
            if (s > 1 && own > 0) {
                cell = cell sprintf(" (%.3gx)", value[store[s], name] / own)
                printf ",\"ratio\":%.4g", value[store[s], name] / own > json
            }
            printf "}" > json
        }
        line = line sprintf("%18s", cell)
    }
    if (any) printf "%-24s%s\n", title[name], line
}
