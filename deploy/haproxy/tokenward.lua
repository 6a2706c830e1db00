-- HAProxy describes a request to Tokenward and does as it is told.
local ADDRESS = "http://127.0.0.1:8083/forward-auth"

-- Fields between two hops, and those that this file sets.
local OWN = {
    ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["host"] = true,
    ["keep-alive"] = true, ["te"] = true, ["trailer"] = true, ["transfer-encoding"] = true,
    ["upgrade"] = true,
}

-- The values of a field: HAProxy counts them from 0.
local function each(values)
    local at = -1
    return function()
        at = at + 1
        return values and values[at]
    end
end

local function described(txn)
    local headers = {}
    for name, values in pairs(txn.http:req_get_headers()) do
        if not OWN[name] then
            headers[name] = {}
            for value in each(values) do
                table.insert(headers[name], value)
            end
        end
    end
    headers["x-forwarded-method"] = { txn.sf:method() }
    headers["x-forwarded-uri"] = { txn.sf:pathq() }
    headers["x-forwarded-host"] = { txn.sf:req_fhdr("host") }
    headers["x-forwarded-for"] = { txn.sf:src() }
    return headers
end

local function refuse(txn, answer)
    local reply = txn:reply({ status = answer.status, body = answer.body })
    for _, name in ipairs({ "allow", "cache-control", "content-type", "dpop-nonce", "www-authenticate", "x-request-id" }) do
        for value in each(answer.headers[name]) do
            reply:add_header(name, value)
        end
    end
    txn:done(reply)
end

core.register_action("tokenward", { "http-req" }, function(txn)
    local answer = core.httpclient():get({ url = ADDRESS, headers = described(txn), timeout = 1000 })
    if not answer or not answer.status or answer.status == 0 then
        txn:done(txn:reply({ status = 503 }))
    elseif answer.status ~= 200 then
        refuse(txn, answer)
    end
    for name, values in pairs(answer.headers) do
        if name:sub(1, 10) == "tokenward-" or name == "x-request-id" then
            for value in each(values) do
                txn.http:req_set_header(name, value)
            end
        end
    end
end)
