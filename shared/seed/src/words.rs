//! The words that names are made of, in English, German and Arabic.

/// A word in three languages.
pub struct Word {
    pub en: &'static str,
    pub de: &'static str,
    pub ar: &'static str,
}

const fn word(en: &'static str, de: &'static str, ar: &'static str) -> Word {
    Word { en, de, ar }
}

pub const BRANDS: [&str; 16] = [
    "Nordlund",
    "Velora",
    "Kestrel",
    "Marisol",
    "Brinkwood",
    "Halcyon",
    "Osprey & Co",
    "Tamarind",
    "Juniper Row",
    "Solenne",
    "Quillfeather",
    "Larkspur",
    "Dovetail",
    "Ember",
    "Winterbourne",
    "Zephyr",
];

pub const MATERIALS: [Word; 12] = [
    word("Oak", "Eichen", "بلوط"),
    word("Walnut", "Nussbaum", "جوز"),
    word("Linen", "Leinen", "كتان"),
    word("Wool", "Woll", "صوف"),
    word("Cotton", "Baumwoll", "قطن"),
    word("Leather", "Leder", "جلد"),
    word("Steel", "Stahl", "فولاذ"),
    word("Brass", "Messing", "نحاس"),
    word("Glass", "Glas", "زجاج"),
    word("Bamboo", "Bambus", "خيزران"),
    word("Ceramic", "Keramik", "سيراميك"),
    word("Cork", "Kork", "فلين"),
];

pub const NOUNS: [[Word; 6]; 12] = [
    [
        word("Sofa", "Sofa", "أريكة"),
        word("Armchair", "Sessel", "كرسي"),
        word("Table", "Tisch", "طاولة"),
        word("Bookcase", "Regal", "مكتبة"),
        word("Stool", "Hocker", "مقعد"),
        word("Sideboard", "Anrichte", "خزانة"),
    ],
    [
        word("Floor Lamp", "Stehlampe", "مصباح أرضي"),
        word("Table Lamp", "Tischlampe", "مصباح طاولة"),
        word("Pendant", "Pendelleuchte", "ثريا"),
        word("Lantern", "Laterne", "فانوس"),
        word("Wall Light", "Wandleuchte", "ضوء جداري"),
        word("Candle Holder", "Kerzenhalter", "شمعدان"),
    ],
    [
        word("Rug", "Teppich", "سجادة"),
        word("Cushion", "Kissen", "وسادة"),
        word("Throw", "Decke", "بطانية"),
        word("Curtain", "Vorhang", "ستارة"),
        word("Runner", "Läufer", "مفرش"),
        word("Bedspread", "Tagesdecke", "غطاء سرير"),
    ],
    [
        word("Pan", "Pfanne", "مقلاة"),
        word("Pot", "Topf", "قدر"),
        word("Knife", "Messer", "سكين"),
        word("Cutting Board", "Schneidebrett", "لوح تقطيع"),
        word("Kettle", "Kessel", "غلاية"),
        word("Colander", "Sieb", "مصفاة"),
    ],
    [
        word("Plate", "Teller", "طبق"),
        word("Bowl", "Schale", "وعاء"),
        word("Mug", "Becher", "كوب"),
        word("Tumbler", "Trinkglas", "كأس"),
        word("Carafe", "Karaffe", "دورق"),
        word("Serving Tray", "Tablett", "صينية"),
    ],
    [
        word("Coffee Grinder", "Kaffeemühle", "مطحنة قهوة"),
        word("Teapot", "Teekanne", "إبريق شاي"),
        word("Espresso Cup", "Espressotasse", "فنجان"),
        word("Dripper", "Handfilter", "مرشح"),
        word("Scale", "Waage", "ميزان"),
        word("Milk Jug", "Milchkännchen", "إبريق حليب"),
    ],
    [
        word("Jacket", "Jacke", "سترة"),
        word("Sweater", "Pullover", "كنزة"),
        word("Shirt", "Hemd", "قميص"),
        word("Trousers", "Hose", "بنطال"),
        word("Coat", "Mantel", "معطف"),
        word("Cardigan", "Strickjacke", "كارديغان"),
    ],
    [
        word("Sneakers", "Turnschuhe", "حذاء رياضي"),
        word("Boots", "Stiefel", "جزمة"),
        word("Sandals", "Sandalen", "صندل"),
        word("Loafers", "Slipper", "حذاء"),
        word("Slippers", "Hausschuhe", "خف"),
        word("Clogs", "Holzschuhe", "قبقاب"),
    ],
    [
        word("Backpack", "Rucksack", "حقيبة ظهر"),
        word("Tote", "Tragetasche", "حقيبة يد"),
        word("Wallet", "Geldbörse", "محفظة"),
        word("Duffel", "Reisetasche", "حقيبة سفر"),
        word("Briefcase", "Aktentasche", "حقيبة أوراق"),
        word("Pouch", "Etui", "كيس"),
    ],
    [
        word("Tent", "Zelt", "خيمة"),
        word("Sleeping Mat", "Isomatte", "فرشة نوم"),
        word("Flask", "Flasche", "قارورة"),
        word("Camp Chair", "Campingstuhl", "كرسي تخييم"),
        word("Hammock", "Hängematte", "أرجوحة"),
        word("Cool Box", "Kühlbox", "صندوق تبريد"),
    ],
    [
        word("Planter", "Pflanztopf", "أصيص"),
        word("Watering Can", "Gießkanne", "مرشة"),
        word("Trowel", "Handschaufel", "مجرفة"),
        word("Bird House", "Vogelhaus", "بيت طيور"),
        word("Trellis", "Rankgitter", "تعريشة"),
        word("Bench", "Bank", "مقعد حديقة"),
    ],
    [
        word("Notebook", "Notizbuch", "دفتر"),
        word("Pen", "Füller", "قلم"),
        word("Desk Pad", "Schreibunterlage", "وسادة مكتب"),
        word("Letter Tray", "Briefablage", "درج رسائل"),
        word("Pencil Case", "Mäppchen", "مقلمة"),
        word("Paperweight", "Briefbeschwerer", "ثقالة ورق"),
    ],
];

pub const COLOURS: [&str; 25] = [
    "Black", "White", "Slate", "Sand", "Moss", "Navy", "Rust", "Plum", "Ochre", "Teal", "Blush", "Charcoal",
    "Ivory", "Olive", "Cobalt", "Coral", "Mint", "Lilac", "Amber", "Crimson", "Pearl", "Graphite", "Sage",
    "Indigo", "Copper",
];

pub const SIZES: [&str; 10] = ["S", "M", "L", "XL", "XS", "XXL", "3XL", "4XL", "5XL", "XXS"];

pub const FIRST_NAMES: [&str; 24] = [
    "Ada", "Ben", "Clara", "David", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Liam",
    "Mina", "Noah", "Olga", "Pablo", "Quinn", "Rosa", "Sami", "Tara", "Umar", "Vera", "Wen", "Yuki",
];

pub const LAST_NAMES: [&str; 24] = [
    "Abbott", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito", "Jansen", "Khan",
    "Larsen", "Moreau", "Nakamura", "Okafor", "Petrov", "Quist", "Rossi", "Schmidt", "Tanaka", "Ueda",
    "Vega", "Weber", "Young",
];

pub const PRAISE: [&str; 5] = [
    "Even better than in the pictures.",
    "Exactly what I was looking for.",
    "Well made, and it came quickly.",
    "I have bought a second one.",
    "My favourite purchase this year.",
];

pub const MIXED: [&str; 5] = [
    "Good, but smaller than I thought.",
    "Fine for the price.",
    "The colour is a little different.",
    "It took a while to arrive.",
    "Does what it should.",
];

pub const BLAME: [&str; 3] =
    ["It broke after two weeks.", "I sent it back.", "The finish is not what I hoped for."];
