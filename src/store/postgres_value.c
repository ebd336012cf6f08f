/* postgres_value.c — parameters and columns in the server's binary format. */
#include "store/postgres_priv.h"

#include <endian.h>
#include <limits.h>
#include <math.h>

/* Object identifiers of the server's built-in types (pg_type.dat); they never change. */
enum {
    TYPE_BOOL = 16,
    TYPE_BYTEA = 17,
    TYPE_CHAR = 18,
    TYPE_NAME = 19,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_TEXT = 25,
    TYPE_OID = 26,
    TYPE_JSON = 114,
    TYPE_FLOAT4 = 700,
    TYPE_FLOAT8 = 701,
    TYPE_UNKNOWN = 705,
    TYPE_BYTEA_ARRAY = 1001,
    TYPE_TEXT_ARRAY = 1009,
    TYPE_INT8_ARRAY = 1016,
    TYPE_FLOAT8_ARRAY = 1022,
    TYPE_BPCHAR = 1042,
    TYPE_VARCHAR = 1043,
    TYPE_NUMERIC = 1700,
    TYPE_VOID = 2278
};

static void put64(char to[8], uint64_t v) {
    v = htobe64(v);
    memcpy(to, &v, 8);
}

static uint64_t get64(const char *from) {
    uint64_t v;
    memcpy(&v, from, 8);
    return be64toh(v);
}

static uint32_t get32(const char *from) {
    uint32_t v;
    memcpy(&v, from, 4);
    return be32toh(v);
}

static uint16_t get16(const char *from) {
    uint16_t v;
    memcpy(&v, from, 2);
    return be16toh(v);
}

/* SQLite stores no negative zero, so nobody does. */
static uint64_t real_bits(double v) {
    uint64_t bits = 0;
    v += 0.0;
    memcpy(&bits, &v, 8);
    return bits;
}

static bool is_text(Oid type) {
    return type == TYPE_TEXT || type == TYPE_VARCHAR || type == TYPE_BPCHAR || type == TYPE_NAME || type == TYPE_JSON ||
           type == TYPE_UNKNOWN;
}

static int put_integer(char to[8], Oid type, int64_t v) {
    switch (type) {
    case TYPE_INT8:
        put64(to, (uint64_t)v);
        return 8;
    case TYPE_INT4: {
        uint32_t w = htobe32((uint32_t)v);
        memcpy(to, &w, 4);
        return v >= INT32_MIN && v <= INT32_MAX ? 4 : -1;
    }
    case TYPE_INT2: {
        uint16_t w = htobe16((uint16_t)v);
        memcpy(to, &w, 2);
        return v >= INT16_MIN && v <= INT16_MAX ? 2 : -1;
    }
    case TYPE_BOOL:
        to[0] = v != 0;
        return v == 0 || v == 1 ? 1 : -1;
    case TYPE_FLOAT8:
        put64(to, real_bits((double)v));
        return 8;
    default:
        return -2;
    }
}

/* Bytes of a number in the server's form; -1: out of range, -2: not of that type. */
static int put_number(char to[8], Oid type, const struct db_value *v) {
    if (v->type == DB_INTEGER)
        return put_integer(to, type, v->integer);
    if (type != TYPE_FLOAT8)
        return -2;
    put64(to, real_bits(v->real));
    return 8;
}

static err mismatch(const struct db_statement *s, unsigned i, bool range) {
    if (range)
        return fail(ERR_INPUT, "db_value", "%s: parameter %u is out of range", s->name, i + 1);
    return fail(ERR_INPUT, "db_parameter", "%s: parameter %u is not of the type that the statement wants", s->name, i + 1);
}

err postgres_encode(struct db *db, const struct db_statement *s, const struct prepared *types,
                    const struct db_value *param) {
    struct postgres *p = postgres_state(db);
    for (unsigned i = 0; i < s->n_param; i++) {
        const struct db_value *v = &param[i];
        p->format[i] = 1;
        p->length[i] = 0;
        p->param[i] = NULL;
        if (v->type == DB_NULL)
            continue;
        if (v->type == DB_TEXT || v->type == DB_BLOB) {
            if (!(v->type == DB_TEXT ? is_text(types->type[i]) : types->type[i] == TYPE_BYTEA))
                return mismatch(s, i, false);
            if (v->text.len > INT_MAX / 2)
                return mismatch(s, i, true);
            p->param[i] = v->text.len ? v->text.ptr : "";
            p->length[i] = (int)v->text.len;
            continue;
        }
        int n = put_number(p->number[i], types->type[i], v);
        if (n < 0)
            return mismatch(s, i, n == -1);
        p->param[i] = p->number[i];
        p->length[i] = n;
    }
    return OK;
}

struct array_type {
    Oid array, element;
    enum db_type value;
};

static const struct array_type array_types[] = {
    {TYPE_INT8_ARRAY, TYPE_INT8, DB_INTEGER},
    {TYPE_FLOAT8_ARRAY, TYPE_FLOAT8, DB_REAL},
    {TYPE_TEXT_ARRAY, TYPE_TEXT, DB_TEXT},
    {TYPE_BYTEA_ARRAY, TYPE_BYTEA, DB_BLOB},
};

static const struct array_type *find_array(Oid type) {
    for (size_t i = 0; i < sizeof array_types / sizeof *array_types; i++)
        if (array_types[i].array == type)
            return &array_types[i];
    return NULL;
}

static void add32(struct buf *b, uint32_t v) {
    v = htobe32(v);
    buf_add(b, (str){(const char *)&v, 4});
}

static bool add_element(struct buf *b, const struct array_type *t, const struct db_value *v) {
    if (v->type == DB_NULL) {
        add32(b, UINT32_MAX);
        return true;
    }
    if (v->type == DB_TEXT || v->type == DB_BLOB) {
        if (v->type != t->value || v->text.len > INT_MAX / 2)
            return false;
        add32(b, (uint32_t)v->text.len);
        buf_add(b, v->text);
        return true;
    }
    char number[8];
    if (put_number(number, t->element, v) != 8)
        return false;
    add32(b, 8);
    buf_add(b, (str){number, 8});
    return true;
}

/* One dimension, lower bound 1 (array_recv of the server). */
static bool add_array(struct buf *b, const struct array_type *t, const struct db_value *v, size_t step, size_t n) {
    add32(b, 1);
    uint32_t nulls = 0;
    for (size_t i = 0; i < n && !nulls; i++)
        nulls = v[i * step].type == DB_NULL;
    add32(b, nulls);
    add32(b, t->element);
    add32(b, (uint32_t)n);
    add32(b, 1);
    for (size_t i = 0; i < n; i++)
        if (!add_element(b, t, &v[i * step]))
            return false;
    return true;
}

err postgres_encode_many(struct db *db, const struct db_statement *s, const struct prepared *types,
                         const struct db_value *param, size_t n_row) {
    struct postgres *p = postgres_state(db);
    size_t begin[DB_PARAM_MAX];
    buf_clear(&p->array);
    for (unsigned i = 0; i < s->n_param; i++) {
        const struct array_type *t = find_array(types->type[i]);
        begin[i] = p->array.len;
        if (!t || !add_array(&p->array, t, param + i, s->n_param, n_row))
            return mismatch(s, i, false);
        if (p->array.len - begin[i] > INT_MAX / 2)
            return mismatch(s, i, true);
        p->length[i] = (int)(p->array.len - begin[i]);
        p->format[i] = 1;
    }
    TRY(buf_check(&p->array));
    for (unsigned i = 0; i < s->n_param; i++)
        p->param[i] = p->array.ptr + begin[i];
    return OK;
}

/* The server's decimal numbers: count of base-10000 digits, weight of the first, sign, shown digits, the digits. Whole ones
 * that fit become integers, others the nearest real. */
static bool decode_numeric(const char *from, int len, struct db_value *v) {
    if (len < 8)
        return false;
    int n = get16(from), weight = (int16_t)get16(from + 2), sign = get16(from + 4);
    if (len != 8 + 2 * n || (sign != 0 && sign != 0x4000))
        return false;
    double real = 0;
    __extension__ __int128 whole = 0;
    bool fits = weight < 6 && n <= weight + 1;
    for (int i = 0; i < n; i++) {
        int digit = get16(from + 8 + 2 * i);
        real += digit * pow(10000, weight - i);
        whole = fits ? whole * 10000 + digit : 0;
    }
    for (int i = n; fits && i <= weight; i++)
        whole *= 10000;
    if (sign)
        whole = -whole;
    if (fits && whole >= INT64_MIN && whole <= INT64_MAX)
        *v = db_integer((int64_t)whole);
    else
        *v = db_real(sign ? -real : real);
    return true;
}

static bool decode_real(Oid type, const char *from, struct db_value *v) {
    double wide = 0;
    if (type == TYPE_FLOAT4) {
        uint32_t bits = get32(from);
        float narrow = 0;
        memcpy(&narrow, &bits, 4);
        wide = (double)narrow;
    } else {
        uint64_t bits = get64(from);
        memcpy(&wide, &bits, 8);
    }
    *v = db_real(wide);
    return true;
}

static bool decode_value(Oid type, const char *from, int len, struct db_value *v) {
    str bytes = {from, (size_t)len};
    if (is_text(type) || type == TYPE_CHAR) {
        *v = db_text(bytes);
        return true;
    }
    switch (type) {
    case TYPE_INT8:
        *v = db_integer((int64_t)get64(from));
        return len == 8;
    case TYPE_INT4:
        *v = db_integer((int32_t)get32(from));
        return len == 4;
    case TYPE_OID:
        *v = db_integer(get32(from));
        return len == 4;
    case TYPE_INT2:
        *v = db_integer((int16_t)get16(from));
        return len == 2;
    case TYPE_BOOL:
        *v = db_integer(from[0] != 0);
        return len == 1;
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
        return decode_real(type, from, v);
    case TYPE_BYTEA:
        *v = db_blob(bytes);
        return true;
    case TYPE_NUMERIC:
        return decode_numeric(from, len, v);
    case TYPE_VOID:
        *v = db_null();
        return true;
    default:
        return false;
    }
}

err postgres_decode(struct db *db, const struct db_statement *s, const PGresult *result, int row) {
    int n = PQnfields(result);
    if (n > DB_COLUMN_MAX)
        return fail(ERR_CORRUPT, "db_column", "%s: more than %d columns", s->name, DB_COLUMN_MAX);
    for (int i = 0; i < n; i++) {
        db->column[i] = db_null();
        if (!PQgetisnull(result, row, i) &&
            !decode_value(PQftype(result, i), PQgetvalue(result, row, i), PQgetlength(result, row, i), &db->column[i]))
            return fail(ERR_CORRUPT, "db_column", "%s: column %d is of a type that is not read (%u)", s->name, i + 1,
                        PQftype(result, i));
    }
    return OK;
}
