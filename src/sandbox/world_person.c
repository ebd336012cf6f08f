/* world_person.c — draws people: names, titles, addresses. */
#include "sandbox/world_priv.h"

static const char *const given[][12] = {
    {"James", "Mary", "Robert", "Linda", "Michael", "Susan", "David", "Karen", "William", "Emily", "Thomas", "Sarah"},
    {"Lukas", "Anna", "Jürgen", "Sabine", "Stefan", "Monika", "Felix", "Lena", "Matthias", "Katrin", "Jonas", "Petra"},
    {"Oliver", "Amelia", "Harry", "Isla", "George", "Poppy", "Callum", "Freya", "Rhys", "Fiona", "Alistair", "Imogen"},
    {"Pierre", "Camille", "Jean-Luc", "Chloé", "Hugo", "Inès", "Mathieu", "Élodie", "Antoine", "Manon", "René", "Sylvie"},
    {"Daan", "Sanne", "Pieter", "Femke", "Jeroen", "Anouk", "Willem", "Lotte", "Bas", "Maaike", "Ruben", "Eva"},
    {"Javier", "Lucía", "Carlos", "Carmen", "Álvaro", "Marta", "Pablo", "Elena", "Sergio", "Ana", "Diego", "Nuria"},
    {"Marco", "Giulia", "Luca", "Chiara", "Alessandro", "Sofia", "Paolo", "Elisa", "Matteo", "Francesca", "Nicola", "Laura"},
    {"Erik", "Astrid", "Lars", "Ingrid", "Johan", "Karin", "Nils", "Maja", "Oskar", "Linnéa", "Per", "Åsa"},
    {"Jan", "Agnieszka", "Piotr", "Katarzyna", "Tomasz", "Ewa", "Paweł", "Magdalena", "Krzysztof", "Zofia", "Adam",
     "Joanna"},
    {"Arjun", "Priya", "Rahul", "Ananya", "Vikram", "Deepa", "Sanjay", "Kavita", "Rohan", "Meera", "Amit", "Neha"},
};
static const char *const surnames[][12] = {
    {"Smith", "Johnson", "Brown", "Miller", "Davis", "Wilson", "Moore", "Taylor", "Clark", "Lewis", "Walker", "Young"},
    {"Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Wagner", "Becker", "Hoffmann", "Schäfer", "Koch", "von Berg",
     "Krüger"},
    {"Jones", "Evans", "Hughes", "O'Neill", "Campbell", "MacLeod", "Wright", "Green", "Patel", "Hall", "Wood", "Turner"},
    {"Martin", "Bernard", "Dubois", "Laurent", "Lefèvre", "Moreau", "Girard", "de la Tour", "Mercier", "Blanc", "Faure",
     "Rousseau"},
    {"de Vries", "Jansen", "van den Berg", "Bakker", "Visser", "Smit", "Meijer", "de Boer", "Mulder", "Bos", "Vos",
     "Peters"},
    {"García", "Fernández", "López", "Martínez", "Sánchez", "Pérez", "Gómez", "Ruiz", "Díaz", "Moreno", "Muñoz", "Romero"},
    {"Rossi", "Russo", "Ferrari", "Esposito", "Bianchi", "Romano", "Colombo", "Ricci", "Marino", "Greco", "De Luca",
     "Conti"},
    {"Andersson", "Johansson", "Karlsson", "Nilsson", "Larsson", "Persson", "Lindberg", "Berg", "Nyström", "Ek", "Ström",
     "Holm"},
    {"Nowak", "Kowalski", "Wiśniewski", "Wójcik", "Kamiński", "Lewandowski", "Zieliński", "Mazur", "Krawczyk", "Król",
     "Dudek", "Górski"},
    {"Sharma", "Gupta", "Singh", "Reddy", "Iyer", "Mehta", "Nair", "Joshi", "Kapoor", "Rao", "Das", "Verma"},
};
/* Most people have a name that few have: a beginning and an end, ten of each. */
static const char *const name_starts[][10] = {
    {"Black", "Wood", "Ash", "Hart", "Brad", "Stan", "Thorn", "Whit", "Lang", "Ched"},
    {"Acker", "Eich", "Gold", "Hart", "Kirch", "Linden", "Rosen", "Stein", "Wald", "Schön"},
    {"Black", "Wood", "Ash", "Holling", "Brad", "Stan", "Thorn", "Whit", "Lang", "Pem"},
    {"Beau", "Char", "Cham", "Des", "Mont", "Val", "Roche", "Ver", "Gran", "Fon"},
    {"Kool", "Hoog", "Wester", "Ooster", "Brink", "Zand", "Veld", "Groot", "Hol", "Noord"},
    {"Mont", "Val", "Cast", "Ber", "Sal", "Cor", "Pal", "Mar", "Alt", "Rib"},
    {"Mont", "Bell", "Cast", "Ber", "Sal", "Cor", "Pal", "Mar", "Ross", "Ven"},
    {"Lind", "Berg", "Ek", "Dal", "Sand", "Sjö", "Hag", "Norr", "Ahl", "Alm"},
    {"Kow", "Zaw", "Mal", "Jab", "Wit", "Sob", "Grab", "Olsz", "Pietr", "Lip"},
    {"Bhatt", "Chakra", "Deva", "Krishna", "Maha", "Nara", "Rama", "Surya", "Venka", "Jaya"},
};
static const char *const name_ends[][10] = {
    {"ton", "ford", "ley", "field", "well", "worth", "man", "shaw", "more", "by"},
    {"mann", "er", "hauser", "feld", "stein", "bach", "berg", "meier", "hoff", "born"},
    {"ton", "ford", "ley", "field", "well", "worth", "combe", "shaw", "more", "by"},
    {"mont", "pentier", "bonnet", "champs", "tier", "lain", "fort", "neuil", "taine", "court"},
    {"huis", "land", "stra", "kamp", "man", "dijk", "hof", "veen", "sma", "hout"},
    {"era", "illo", "ero", "ada", "ondo", "ales", "eiro", "ejo", "osa", "ana"},
    {"etti", "ini", "elli", "one", "acci", "ari", "asso", "oni", "ucci", "ese"},
    {"qvist", "gren", "ström", "man", "berg", "lund", "blad", "stedt", "dahl", "fors"},
    {"alski", "icki", "owski", "ewicz", "czyk", "ak", "arz", "ecki", "iński", "ołek"},
    {"acharya", "rao", "murthy", "nathan", "swamy", "raman", "dev", "prasad", "kumar", "singh"},
};
enum { NAMES = 12, RARE_NAMES = 10 };

static const struct weighted seniorities[] = {
    {"C-Suite", 9, 0.3}, {"VP", 9, 0.5}, {"Director", 17, 0.4}, {"Manager", 32, 0.05}, {"Other", 33, -0.5},
};
static const struct weighted departments[] = {
    {"Sales", 20, 0.3},           {"Marketing", 22, 0.3},    {"Operations", 18, 0.0},
    {"Finance", 12, -0.1},        {"Engineering", 14, -0.1}, {"Information Technology", 9, 0.1},
    {"Human Resources", 5, -0.5},
};
static const char *const titles[][3] = {
    {"Chief %s Officer", "Chief %s Officer", "Head of %s and Co-Founder"},
    {"VP %s", "Vice President, %s", "Senior Vice President of %s"},
    {"Director of %s", "%s Director", "Senior Director, %s"},
    {"%s Manager", "Senior %s Manager", "%s Team Lead"},
    {"%s Specialist", "%s Analyst", "Junior %s Associate"},
};
static const char *const providers[] = {"gmail.com", "gmail.com", "outlook.com", "yahoo.com", "gmx.de", "hotmail.com"};

/* An address holds ASCII only: "Élodie" becomes "elodie". */
static str ascii(struct arena *a, str s) {
    static const char *const from[] = {"ü", "ä", "ö", "é", "è", "ë", "í", "á", "ñ", "ú", "ó",
                                       "ł", "ś", "ń", "ż", "å", "ï", "É", "Á", "Å", "ç"};
    static const char *const to[] = {"ue", "ae", "oe", "e", "e", "e", "i", "a", "n", "u", "o",
                                     "l",  "s",  "n",  "z", "a", "i", "e", "a", "a", "c"};
    char *out = arena_alloc(a, s.len * 2 + 1);
    size_t n = 0;
    for (size_t at = 0; at < s.len;) {
        size_t k = 0;
        while (k < DRAW_COUNT(from) && !str_starts(str_slice(s, at, s.len), str_from(from[k])))
            k++;
        if (k < DRAW_COUNT(from)) {
            for (const char *p = to[k]; *p; p++)
                out[n++] = *p;
            at += strlen(from[k]);
            continue;
        }
        char c = s.ptr[at++];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || c == '-')
            out[n++] = c;
    }
    return (str){out, n};
}

static str surname(struct arena *a, struct rng *r, size_t country) {
    const char *common = surnames[country][rng_below(r, NAMES)];
    const char *start = name_starts[country][rng_below(r, RARE_NAMES)], *end = name_ends[country][rng_below(r, RARE_NAMES)];
    return draw_chance(r, 0.3) ? str_from(common) : str_format(a, "%s%s", start, end);
}

static str address(struct arena *a, size_t pattern, str g, str s, str domain) {
    switch (pattern % 4) {
    case 0:
        return str_format(a, "%.*s.%.*s@%.*s", STR_ARG(g), STR_ARG(s), STR_ARG(domain));
    case 1:
        return str_format(a, "%c%.*s@%.*s", *g.ptr, STR_ARG(s), STR_ARG(domain));
    case 2:
        return str_format(a, "%.*s@%.*s", STR_ARG(g), STR_ARG(domain));
    default:
        return str_format(a, "%.*s_%.*s@%.*s", STR_ARG(s), STR_ARG(g), STR_ARG(domain));
    }
}

static str title_of(struct arena *a, struct rng *r, const struct world_person *p) {
    const char *form = titles[p->seniority_row][rng_below(r, 3)], *slot = strstr(form, "%s");
    str before = {form, (size_t)(slot - form)};
    return str_format(a, "%.*s%.*s%s", STR_ARG(before), STR_ARG(p->department), slot + 2);
}

void world_person(struct arena *a, const struct world *w, const struct world_company *c, uint64_t number,
                  struct world_person *out) {
    struct rng company = world_stream(w, WORLD_STREAM_PERSON, c->number), r = rng_fork(&company, number);
    size_t pattern = (size_t)rng_below(&company, 4); /* one for the whole company */
    *out = (struct world_person){.number = number};
    out->given = str_from(given[c->country_row][rng_below(&r, NAMES)]);
    out->surname = surname(a, &r, c->country_row);
    out->seniority_row = draw_pick(&r, seniorities, DRAW_COUNT(seniorities));
    out->department_row = draw_pick(&r, departments, DRAW_COUNT(departments));
    out->seniority = str_from(seniorities[out->seniority_row].text);
    out->department = str_from(departments[out->department_row].text);
    out->title = title_of(a, &r, out);
    str g = ascii(a, out->given), s = ascii(a, out->surname);
    out->email = address(a, pattern, g, s, c->domain);
    str provider = str_from(providers[rng_below(&r, DRAW_COUNT(providers))]);
    out->private_email =
        str_format(a, "%.*s.%.*s%d@%.*s", STR_ARG(g), STR_ARG(s), (int)rng_below(&r, 100), STR_ARG(provider));
    out->phone = str_format(a, "%s%09llu", world_country_dial(c->country_row),
                            200000000ull + (unsigned long long)rng_below(&r, 700000000));
}

double world_person_effect(const struct world_person *p) {
    return seniorities[p->seniority_row].effect + departments[p->department_row].effect;
}
